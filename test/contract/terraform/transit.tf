# A transit gateway with two VPCs: the story's is associated with the default
# table, the spoke with one of its own, which says where it may go.
resource "aws_vpc" "spoke" {
  cidr_block = "10.78.0.0/16"
  tags       = { Name = "spoke" }
}

resource "aws_subnet" "spoke" {
  vpc_id            = aws_vpc.spoke.id
  cidr_block        = "10.78.1.0/24"
  availability_zone = data.aws_availability_zones.here.names[0]
}

resource "aws_ec2_transit_gateway" "hub" {
  description = var.owner == "one" ? "hub" : "the hub"
  tags        = { Name = "hub" }
}

resource "aws_ec2_transit_gateway_vpc_attachment" "lab" {
  transit_gateway_id = aws_ec2_transit_gateway.hub.id
  vpc_id             = aws_vpc.lab.id
  subnet_ids         = var.owner == "one" ? [aws_subnet.a.id] : [aws_subnet.a.id, aws_subnet.b.id]
  tags               = { Name = "lab" }
}

resource "aws_ec2_transit_gateway_vpc_attachment" "spoke" {
  transit_gateway_id                              = aws_ec2_transit_gateway.hub.id
  vpc_id                                          = aws_vpc.spoke.id
  subnet_ids                                      = [aws_subnet.spoke.id]
  transit_gateway_default_route_table_association = false
}

resource "aws_ec2_transit_gateway_route_table" "spokes" {
  transit_gateway_id = aws_ec2_transit_gateway.hub.id
  tags               = { Name = "spokes" }
}

resource "aws_ec2_transit_gateway_route_table_association" "spoke" {
  transit_gateway_attachment_id  = aws_ec2_transit_gateway_vpc_attachment.spoke.id
  transit_gateway_route_table_id = aws_ec2_transit_gateway_route_table.spokes.id
}

resource "aws_ec2_transit_gateway_route_table_propagation" "lab" {
  transit_gateway_attachment_id  = aws_ec2_transit_gateway_vpc_attachment.lab.id
  transit_gateway_route_table_id = aws_ec2_transit_gateway_route_table.spokes.id
}

resource "aws_ec2_transit_gateway_route" "nowhere" {
  destination_cidr_block         = "192.0.2.0/24"
  blackhole                      = true
  transit_gateway_route_table_id = aws_ec2_transit_gateway_route_table.spokes.id
}

resource "aws_ec2_transit_gateway_route" "lab" {
  destination_cidr_block         = "172.16.0.0/12"
  transit_gateway_attachment_id  = aws_ec2_transit_gateway_vpc_attachment.lab.id
  transit_gateway_route_table_id = aws_ec2_transit_gateway_route_table.spokes.id
}

resource "aws_route" "spoke" {
  route_table_id         = aws_vpc.spoke.main_route_table_id
  destination_cidr_block = "10.77.0.0/16"
  transit_gateway_id     = aws_ec2_transit_gateway_vpc_attachment.spoke.transit_gateway_id
}

resource "aws_route" "lab" {
  route_table_id         = aws_route_table.lab.id
  destination_cidr_block = "10.78.0.0/16"
  transit_gateway_id     = aws_ec2_transit_gateway_vpc_attachment.lab.transit_gateway_id
}
